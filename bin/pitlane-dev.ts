// For development: the command line from its sources.
import { main } from '../src/main.ts'

await main(process)
