/**
 * What a step may see of the environment Pitlane runs in: the names below and nothing else, so that no credential of a person or of the
 * publication reaches a build by accident.
 */
const ALLOWED: ReadonlySet<string> = new Set([
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'LANG',
  'LC_ALL',
  'TMPDIR',
  'XDG_CACHE_HOME',
  'XDG_RUNTIME_DIR',
  // Where compilers and package managers keep what they downloaded.
  'CARGO_HOME',
  'RUSTUP_HOME',
  'RUSTUP_TOOLCHAIN',
  'GOPATH',
  'GOCACHE',
  'GOMODCACHE',
  'GOPROXY',
  'GOSUMDB',
  'GOTOOLCHAIN',
  'NIX_PATH',
  'NIX_PROFILES',
  'npm_config_cache',
  // How the network is reached from here.
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NIX_SSL_CERT_FILE',
  'NODE_EXTRA_CA_CERTS',
  'GIT_SSL_CAINFO',
  'CURL_CA_BUNDLE',
])

/** Variables every step gets, from the environment Pitlane was started in. */
export function baseEnvironment(own: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const environment: Record<string, string> = { CI: 'true' }
  for (const [name, value] of Object.entries(own)) {
    if (value !== undefined && ALLOWED.has(name)) environment[name] = value
  }
  environment['PATH'] ??= '/usr/local/bin:/usr/bin:/bin'
  return environment
}
