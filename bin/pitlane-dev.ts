// Pitlane from its sources, for development: `npm run pitlane -- …`.
const entry = new URL('../src/main.ts', import.meta.url).href
const { main } = (await import(entry)) as { main: (process: NodeJS.Process) => Promise<void> }
await main(process)
