import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DAYS, DURATION, formatDuration, parseDays, parseDuration } from './duration.ts'

test('durations', () => {
  const rows: readonly (readonly [string, number, string])[] = [
    ['30s', 30_000, '30s'],
    ['90s', 90_000, '90s'],
    ['10m', 600_000, '10m'],
    ['60m', 3_600_000, '1h'],
    ['2h', 7_200_000, '2h'],
    ['0s', 0, '0s'],
  ]
  for (const [text, milliseconds, shortest] of rows) {
    assert.match(text, DURATION)
    assert.equal(parseDuration(text), milliseconds)
    assert.equal(formatDuration(milliseconds), shortest)
  }
  for (const text of ['', '10', 'm', '1.5h', '-1s', '1h30m', '10 m', '1d', '1234567s'])
    assert.doesNotMatch(text, DURATION)
})

test('days', () => {
  for (const [text, milliseconds] of [
    ['1d', 86_400_000],
    ['90d', 7_776_000_000],
  ] as const) {
    assert.match(text, DAYS)
    assert.equal(parseDays(text), milliseconds)
  }
  for (const text of ['', '0d', '01d', '90', 'd', '-1d', '1.5d', '1w', '123456d']) assert.doesNotMatch(text, DAYS)
})
