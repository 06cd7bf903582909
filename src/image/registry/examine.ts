/** Tries what pushing needs: an answer, a login, and the right to begin an upload, which is given up at once. */
import { PitlaneError } from '../../errors.ts'
import { bad, type Examination, good, weak } from '../../examination.ts'
import type { RegistryAddress } from '../address.ts'
import { discard } from './http.ts'
import type { Session } from './session.ts'

/** Nothing is left behind, and what fails is told, not thrown. */
export async function* examineRegistry(
  session: Session,
  { address, repository }: { readonly address: RegistryAddress; readonly repository: string },
): AsyncIterable<Examination> {
  const { host, namespace } = address
  const name = namespace + repository
  const { loggedIn } = session
  const reached = await attempt('reach the registry', async () => {
    discard(await session.ask({ method: 'GET', to: '', scope: '', expect: [200] }))
    return good('reach the registry', `${host}, ${loggedIn ? 'with a login' : 'which asks for no login'}`)
  })
  yield reached
  const pushed = await attempt('push', async () => {
    const scope = `repository:${name}:pull,push`
    const begun = await session.ask({ method: 'POST', to: `${name}/blobs/uploads/`, scope, expect: [202] })
    discard(begun)
    const place = begun.header('location')
    if (place === null || !URL.canParse(place, begun.url))
      return bad(
        'push',
        `${name}: an upload was begun, and where it goes was not told`,
        'Is that a container registry?',
      )
    // Given up right away; a registry that does not know how forgets it by itself.
    await session
      .ask({ method: 'DELETE', to: new URL(place, begun.url), scope, expect: [200, 202, 204, 404, 405] })
      .then(discard, () => undefined)
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
