// The registry contract on real registries, with every way to log in.
import { after, test } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { parseRegistryAddress } from '../../src/image/registry/address.ts'
import { httpSender } from '../../src/image/registry/http.ts'
import { distributionRegistry } from '../../src/image/registry/registry.ts'
import { Session } from '../../src/image/registry/session.ts'
import { registryContract } from '../contracts/registry.contract.ts'
import { distribution, startDistribution } from './peers/distribution.ts'

const peer = distribution()
if ('absent' in peer) test('distribution', { skip: peer.absent }, () => {})
else {
  const server = await startDistribution(peer.program)
  after(() => server.stop())
  let namespaces = 0
  registryContract('distribution 3', async (t) => {
    namespaces += 1
    // A namespace of its own is an empty registry.
    const address = parseRegistryAddress(`${server.host}/contract-${namespaces}`)
    const { send, close } = httpSender(null)
    t.after(close)
    return {
      open: () => distributionRegistry(address, new Session({ address, send, clock: systemClock, credentials: null })),
    }
  })
}
