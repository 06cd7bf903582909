/**
 * `node:http` as Node's own modules see it. Importing it as an ES module reads all its exports, among them the lazy `WebSocket`, for which Node
 * compiles its whole `fetch`: 20 ms at the start of every command that speaks with a server, for nothing. So the bundle requires it, and has
 * only the exports that are there without being asked for; a lazy one that somebody imports is missing, and the build says so.
 */
import http from 'node:http'
import type { Plugin } from 'rolldown'

/** Its id in the bundle. */
export const LEAN_HTTP = '\0lean-http'

export const leanHttp: Plugin = {
  name: 'lean-http',
  resolveId: (id) => (id === 'node:http' || id === 'http' ? { id: LEAN_HTTP, moduleSideEffects: false } : null),
  load: (id) => (id === LEAN_HTTP ? source() : null),
}

function source(): string {
  const eager = Object.entries(Object.getOwnPropertyDescriptors(http))
    .filter(([, property]) => 'value' in property)
    .map(([name]) => name)
  return `import { createRequire } from 'node:module'
const http = createRequire(import.meta.url)('node:http')
export const { ${eager.join(', ')} } = http
export default http
`
}
