// Node strips types from `.ts` by itself; `.tsx` has to be compiled. Loaded with `--import` for development and tests.
import { readFileSync } from 'node:fs'
import { createRequire, registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import type * as rolldown from 'rolldown/utils'

const require = createRequire(import.meta.url)

registerHooks({
  load(url, context, nextLoad) {
    if (!url.endsWith('.tsx')) return nextLoad(url, context)
    // Required here, so that a run that never meets a .tsx file does not load the compiler.
    const { transformSync } = require('rolldown/utils') as typeof rolldown
    const path = fileURLToPath(url)
    const result = transformSync(path, readFileSync(path, 'utf8'), {
      lang: 'tsx',
      jsx: { runtime: 'automatic', importSource: 'preact' },
    })
    if (result.errors.length > 0) throw new SyntaxError(`${path}: ${result.errors[0]?.message}`)
    return { format: 'module', source: result.code, shortCircuit: true }
  },
})
