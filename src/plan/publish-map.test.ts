import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PlannedOutput } from './plan.ts'
import { publishMap } from './publish-map.ts'

const output = (name: string): PlannedOutput => ({
  id: `binary/${name}`,
  target: 'x86_64-unknown-linux-musl',
  name,
  path: name,
  static: true,
  obligations: [],
})

test('two things that would go to one place are refused, with both names', () => {
  const things = { version: 'v1', channel: 'stable', signed: false, image: null, documentation: null }
  assert.throws(() => publishMap({ ...things, outputs: [output('tool'), output('tool.sha256')] }), {
    code: 'PLAN_CONTRADICTION',
    message:
      'binary/tool.sha256 and binary/tool.sha256 would both be published as _releases/v1/x86_64-unknown-linux-musl/tool.sha256',
  })
})

test('without signatures nothing of a key or signature is published', () => {
  const map = publishMap({
    version: 'v1',
    channel: 'extra',
    signed: false,
    image: null,
    documentation: null,
    outputs: [output('tool')],
  })
  const destinations = map.map(({ destination }) => destination)
  assert.ok(destinations.every((destination) => !/minisig|\.sig$|\.pub$|\.pem$/.test(destination)))
  assert.equal(destinations.at(-1), '_releases/index.json')
})
