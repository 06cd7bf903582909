/** What a file of a documentation site is, by its name. Pure. */
import { posix } from 'node:path'

const UTF8 = '; charset=utf-8'

const TYPES: Readonly<Record<string, string>> = {
  html: `text/html${UTF8}`,
  htm: `text/html${UTF8}`,
  xhtml: `application/xhtml+xml${UTF8}`,
  css: `text/css${UTF8}`,
  js: `text/javascript${UTF8}`,
  mjs: `text/javascript${UTF8}`,
  json: 'application/json',
  map: 'application/json',
  webmanifest: 'application/manifest+json',
  xml: `application/xml${UTF8}`,
  rss: `application/rss+xml${UTF8}`,
  atom: `application/atom+xml${UTF8}`,
  txt: `text/plain${UTF8}`,
  md: `text/markdown${UTF8}`,
  csv: `text/csv${UTF8}`,
  svg: 'image/svg+xml',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  avif: 'image/avif',
  ico: 'image/x-icon',
  woff: 'font/woff',
  woff2: 'font/woff2',
  ttf: 'font/ttf',
  otf: 'font/otf',
  wasm: 'application/wasm',
  pdf: 'application/pdf',
  zip: 'application/zip',
  gz: 'application/gzip',
  mp4: 'video/mp4',
  webm: 'video/webm',
}

const PAGES = new Set(['html', 'htm', 'xhtml', 'xml', 'rss', 'atom'])

function extension(path: string): string {
  return posix.extname(path).slice(1).toLowerCase()
}

export function contentTypeOf(path: string): string {
  return TYPES[extension(path)] ?? 'application/octet-stream'
}

/** Whether it names other files, and so comes after them. */
export function isPage(path: string): boolean {
  return PAGES.has(extension(path))
}
