/** What all pages of the server have. */
import { createHash } from 'node:crypto'
import type { ComponentChildren } from 'preact'
import { renderToString } from 'preact-render-to-string'

const STYLE = `
:root { color-scheme: light dark; --ground: #fff; --raised: #f5f6f8; --line: #d9dde3; --ink: #16191d; --quiet: #545c66; --link: #0b5cad; --good: #14622f; --bad: #8a1c1c; --going: #5b4a00; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14171a; --raised: #1e2226; --line: #363c43; --ink: #e9ecef; --quiet: #a6aeb8; --link: #82bcf5; --good: #92dda9; --bad: #f5aaa4; --going: #ecd57f; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem 1.25rem 3rem; max-width: 64rem; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
a { color: var(--link); }
nav { padding-bottom: .75rem; border-bottom: 1px solid var(--line); }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .4rem .6rem .4rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { color: var(--quiet); font-weight: 600; }
code, pre { font-family: ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; font-size: .875rem; }
pre { margin: 0; padding: .75rem; background: var(--raised); border: 1px solid var(--line); white-space: pre-wrap; }
details { margin: .5rem 0; }
summary { cursor: pointer; }
.quiet { color: var(--quiet); }
.success { color: var(--good); }
.failure, .error, .killed { color: var(--bad); }
.running, .pending { color: var(--going); }
.status { font-weight: 600; }
`

const hash = createHash('sha256').update(STYLE).digest('base64')

/** Nothing but the page's own style, and forms that go to this server. */
export const POLICY = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`

export interface PageParts {
  readonly title: string
  /** Where the page lies, outermost first. */
  readonly trail?: readonly { readonly name: string; readonly href: string }[]
  /** Seconds after which it is loaded again; without JavaScript that is how it moves. */
  readonly refresh?: number
  readonly children: ComponentChildren
}

export function render(parts: PageParts): string {
  return `<!doctype html>\n${renderToString(<Page {...parts} />)}\n`
}

function Page({ title, trail = [], refresh, children }: PageParts) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        {refresh === undefined ? null : <meta httpEquiv="refresh" content={String(refresh)} />}
        <title>{`${title} – Pitlane`}</title>
        <link rel="icon" href="data:," />
        <style dangerouslySetInnerHTML={{ __html: STYLE }} />
      </head>
      <body>
        <nav>
          <a href="/">Repositories</a>
          {trail.map(({ name, href }) => (
            <>
              {' › '}
              <a href={href}>{name}</a>
            </>
          ))}
        </nav>
        <main>
          <h1>{title}</h1>
          {children}
        </main>
      </body>
    </html>
  )
}

export function StatusWord({ status }: { status: string }) {
  return <span class={`status ${status}`}>{status}</span>
}

/** `3 min ago`; a date where that is long ago. */
export function ago(at: number, now: number): string {
  const seconds = Math.max(0, Math.floor((now - at) / 1000))
  if (seconds < 60) return `${seconds} s ago`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`
  return new Date(at).toISOString().slice(0, 10)
}
