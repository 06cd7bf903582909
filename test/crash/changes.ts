// What a transaction changes, in words: a name for it that is the same in every run, however the transactions before it fell.
import type { KyselyPlugin, Transaction } from 'kysely'
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
      if (node.kind !== 'SelectQueryNode') changes.push(inWords(node))
      return node
    },
    transformResult: ({ result }) => Promise.resolve(result),
  }
  return { trx: trx.withPlugin(plugin), changes }
}

/** Every name and value of a statement, in its order. */
function inWords(statement: object): string {
  const words: string[] = []
  const walk = (part: unknown) => {
    if (typeof part === 'string' || typeof part === 'number') {
      if (String(part).length <= LONGEST && !(Number(part) > TIMES)) words.push(String(part))
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
  return words.join(' ').replace('QueryNode', '')
}
