// What a transaction changes, in words: a name for it that is the same in every run, however the transactions before it fell.
import type { KyselyPlugin, Transaction } from 'kysely'
import { Later } from '../../src/database/prepared.ts'
import type { Database } from '../../src/database/schema.ts'

/** Longer values (documents) and times say nothing that the others don't. */
const LONGEST = 70
const TIMES = 1e11

/** The transaction, and the list that its changes are written into as they are made. */
export function watched(trx: Transaction<Database>): {
  readonly trx: Transaction<Database>
  readonly changes: string[]
} {
  const changes: string[] = []
  const plugin: KyselyPlugin = {
    transformQuery({ node }) {
      const words = node.kind === 'SelectQueryNode' ? null : inWords(node)
      if (words !== null) changes.push(words)
      return node
    },
    transformResult: ({ result }) => Promise.resolve(result),
  }
  const seen = trx.withPlugin(plugin)
  // Prepared ones come here with their values, and not to the plugin.
  const execute = seen.executeQuery.bind(seen)
  seen.executeQuery = (query) => {
    const { query: node, parameters } = 'parameters' in query ? query : query.compile()
    if (node.kind !== 'SelectQueryNode')
      changes.push([node.kind.replace('QueryNode', ''), ...parameters.filter(tells)].join(' '))
    return execute(query)
  }
  return { trx: seen, changes }
}

function tells(value: unknown): value is string | number {
  if (typeof value !== 'string' && typeof value !== 'number') return false
  return String(value).length <= LONGEST && !(Number(value) > TIMES)
}

/** Every name and value of a statement, in its order. Null for one that is only prepared: it has no values yet. */
function inWords(statement: object): string | null {
  const words: string[] = []
  let isPrepared = false
  const walk = (part: unknown) => {
    if (part instanceof Later) isPrepared = true
    else if (typeof part === 'string' || typeof part === 'number') {
      if (tells(part)) words.push(String(part))
    } else if (Array.isArray(part)) for (const each of part) walk(each)
    else if (part !== null && typeof part === 'object') {
      for (const [key, value] of Object.entries(part)) {
        // The columns of an insert are the same for all of its table.
        if (key !== 'columns' && key !== 'returning' && key !== 'onConflict' && !(key === 'kind' && part !== statement))
          walk(value)
      }
    }
  }
  walk(statement)
  return isPrepared ? null : words.join(' ').replace('QueryNode', '')
}
