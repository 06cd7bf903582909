/** A Chromium with nothing of the person's in it, for tests that look at pages. */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, chromium, type Page } from 'playwright-core'

const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

export function chromiumIsInstalled(): boolean {
  return existsSync(EXECUTABLE)
}

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: EXECUTABLE,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

interface Looks {
  readonly width: number
  readonly height?: number
  readonly colorScheme?: 'light' | 'dark'
  readonly javaScript?: boolean
}

interface OpenPage {
  readonly page: Page
  /** Console errors and warnings, violations of the page's policy, failed and foreign requests. */
  readonly complaints: string[]
}

/** Opens an address and records everything the browser complains about. The caller closes the page's context. */
export async function openPage(browser: Browser, address: string, looks: Looks): Promise<OpenPage> {
  const context = await browser.newContext({
    viewport: { width: looks.width, height: looks.height ?? 900 },
    colorScheme: looks.colorScheme ?? 'light',
    javaScriptEnabled: looks.javaScript ?? true,
  })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(`console: ${message.text()}`)
  })
  page.on('pageerror', (error) => complaints.push(`script: ${error.message}`))
  page.on('requestfailed', (request) => complaints.push(`failed: ${request.url()}`))
  page.on('request', (request) => {
    const url = request.url()
    if (url !== address && !url.startsWith('data:')) complaints.push(`asked for ${url}`)
  })
  await page.goto(address)
  return { page, complaints }
}

interface AxeResult {
  readonly violations: readonly {
    readonly id: string
    readonly help: string
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[]
  }[]
}

/** Accessibility violations that axe finds, one line each. The script goes in through the debugger, past the page's policy. */
export async function axeViolations(page: Page): Promise<readonly string[]> {
  await page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'))
  const result = await page.evaluate<AxeResult>('axe.run(document, { resultTypes: ["violations"] })')
  return result.violations.flatMap((violation) =>
    violation.nodes.map((node) => `${violation.id}: ${violation.help}: ${node.html} ${node.failureSummary}`),
  )
}
