/** Tries what pushing needs: an answer, a login, and the right to begin an upload, which is given up at once. */
import { PitlaneError } from '../../errors.ts'
import { bad, type Examination, good, weak } from '../../examination.ts'
import type { RegistryAddress } from '../address.ts'
import { discard } from './http.ts'
import type { Session } from './session.ts'
import { tryUpload } from './upload.ts'

/** Nothing is left behind, and what fails is told, not thrown. */
export async function* examineRegistry(
  session: Session,
  { address, repository }: { readonly address: RegistryAddress; readonly repository: string },
): AsyncIterable<Examination> {
  const { host, namespace } = address
  const name = namespace + repository
  const { loggedIn, unused } = session
  // One that another place holds the login for is as it should be.
  if (unused !== null && !loggedIn) yield weak('login', unused.problem, `It is not used: ${unused.remedy}.`)
  const reached = await attempt('reach the registry', async () => {
    discard(await session.ask({ method: 'GET', to: '', scope: '', expect: [200] }))
    return good('reach the registry', `${host}, ${loggedIn ? 'with a login' : 'which asks for no login'}`)
  })
  yield reached
  const pushed = await attempt('push', async () => {
    await tryUpload(session, name)
    return good('push', `${name} takes uploads`)
  })
  yield pushed
  if (pushed.result === 'good' && !loggedIn)
    yield weak('login', 'everybody may push here', 'Fine on this machine alone; else let the registry ask for a login.')
}

async function attempt(what: string, work: () => Promise<Examination>): Promise<Examination> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof PitlaneError)) throw error
    return bad(what, error.message, error.hint ?? null)
  }
}
