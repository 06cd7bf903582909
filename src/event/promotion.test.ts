import assert from 'node:assert/strict'
import { test } from 'node:test'
import { publicName } from './promotion.ts'

test('what is published of a person is the name, never the address', () => {
  for (const [actor, name] of [
    ['Ada L <ada@example.org>', 'Ada L'],
    ['Mallory <script> <m@example.org>', 'Mallory <script>'],
    ['ada', 'ada'],
    ['ada@example.org', 'ada'],
    ['<ada@example.org>', 'unknown'],
    ['@example.org', 'unknown'],
  ] as const) {
    assert.equal(publicName(actor), name)
  }
})
