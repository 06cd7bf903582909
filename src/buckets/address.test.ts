import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PitlaneError } from '../errors.ts'
import { isS3Address, parseS3Address, shownAddress } from './address.ts'

test('an address names bucket, prefix and the way there', () => {
  assert.deepEqual(parseS3Address('s3://releases?endpoint=https://s3.example.org:8443&region=garage'), {
    bucket: 'releases',
    prefix: '',
    endpoint: 'https://s3.example.org:8443',
    region: 'garage',
    style: 'path',
    ca: null,
  })
  assert.deepEqual(parseS3Address('s3://my.releases/team/a%20b/?ca=ca.pem'), {
    bucket: 'my.releases',
    prefix: 'team/a b/',
    endpoint: null,
    region: null,
    style: 'host',
    ca: 'ca.pem',
  })
  assert.equal(parseS3Address('s3://abc?endpoint=http://127.0.0.1:9000/&style=host').style, 'host')
  assert.equal(
    shownAddress(parseS3Address('s3://abc/p/q?endpoint=http://127.0.0.1:9000&region=x')),
    's3://abc/p/q at http://127.0.0.1:9000',
  )
  assert.deepEqual(['s3://a', 'S3:x', './s3', '/s3:/x', 's3'].map(isS3Address), [true, true, false, false, false])
})

const REFUSED: readonly (readonly [address: string, ...says: string[]])[] = [
  ['s3:releases', 'does not begin with s3://BUCKET'],
  ['s3://', 's3://BUCKET'],
  ['s3://AB', "'AB'"],
  ['s3://a..b/x', 'a..b'],
  ['s3://under_score', 'under_score'],
  ['s3://releases:9000', 'endpoint'],
  ['s3://releases#x', '#fragment'],
  ['s3://releases?regoin=x', "'regoin'", "Did you mean 'region'?"],
  ['s3://releases?region=', 'without a value'],
  ['s3://releases?region=a&region=b', 'twice'],
  ['s3://releases?region=a%20b', "'a b'"],
  ['s3://releases?style=virtual', 'path or host'],
  ['s3://releases?endpoint=example.org', 'https:// or http://'],
  ['s3://releases?endpoint=https://example.org/s3', 'https:// or http://'],
  ['s3://releases?endpoint=ftp://example.org', 'https:// or http://'],
  ['s3://releases/a//b', 'empty segment'],
  ['s3://releases/%zz', 'percent-encoding'],
  ['s3://releases/a%0ab', 'control character'],
  [`s3://releases/${'a'.repeat(3000)}`, '2048'],
]

for (const [address, ...says] of REFUSED)
  test(`refused: ${address.slice(0, 60)}`, () => {
    assert.throws(
      () => parseS3Address(address),
      (error) => {
        assert.ok(error instanceof PitlaneError && error.code === 'CONFIG_INVALID')
        for (const words of says)
          assert.ok(`${error.message} ${error.hint}`.includes(words), `${error.message} ${error.hint}`)
        return true
      },
    )
  })

test('credentials in an address are refused, and not shown', () => {
  for (const address of [
    's3://key:hunter2@releases',
    's3://hunter2@releases?endpoint=https://x.org',
    's3://releases?endpoint=https://a:hunter2@x.org',
    's3:///hunter2@x',
    's3://releases?endpoint=https%3A//hunter2%40x.org',
  ])
    assert.throws(
      () => parseS3Address(address),
      (error) => error instanceof PitlaneError && !`${error.message} ${error.hint}`.includes('hunter2'),
    )
})
