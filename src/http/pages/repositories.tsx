/** Which repositories there are, and the builds of one. */
import type { BuildRow } from '../../database/queries/builds.ts'
import type { EventRow } from '../../database/queries/events.ts'
import { buildStatus } from '../api/shapes.ts'
import type { KnownRepository } from '../parts.ts'
import { ago, render, StatusWord } from './page.tsx'

export function loginPage(): string {
  return render({
    title: 'Log in',
    children: (
      <p>
        Open the link that <code>pitlane serve</code> printed when it was started; it works once. A new start prints a
        new one.
      </p>
    ),
  })
}

export function repositoriesPage(repositories: readonly KnownRepository[]): string {
  return render({
    title: 'Repositories',
    children:
      repositories.length === 0 ? (
        <p>
          There are none yet: make one with <code>git init --bare</code> in the folder that <code>pitlane serve</code>{' '}
          named at its start.
        </p>
      ) : (
        <table>
          <tr>
            <th>Name</th>
            <th>Checks</th>
          </tr>
          {repositories.map(({ name, row }) => (
            <tr>
              <td>{row === null ? name : <a href={`/${name}`}>{name}</a>}</td>
              <td class={row?.active === 1 ? 'success' : 'quiet'}>
                {row?.active === 1 ? 'what is pushed is checked' : `off: pitlane repo enable ${name}`}
              </td>
            </tr>
          ))}
        </table>
      ),
  })
}

/** @param others what was pushed and has no build */
export function repositoryPage(
  name: string,
  builds: readonly BuildRow[],
  others: readonly EventRow[],
  now: number,
): string {
  return render({
    title: name,
    ...(builds.some((build) => build.state === 'running') ? { refresh: 3 } : {}),
    children: (
      <>
        {builds.length === 0 ? (
          <p>Nothing was checked yet.</p>
        ) : (
          <table>
            <tr>
              <th>Build</th>
              <th>Status</th>
              <th>Of</th>
              <th>Commit</th>
              <th>By</th>
              <th>When</th>
            </tr>
            {builds.map((build) => (
              <tr>
                <td>
                  <a href={`/${name}/${build.number}`}>{build.number}</a>
                </td>
                <td>
                  <StatusWord status={buildStatus(build)} />
                </td>
                <td>{build.revision}</td>
                <td>
                  <code>{build.commit_id.slice(0, 12)}</code>
                </td>
                <td>{build.actor}</td>
                <td>{ago(build.created_at, now)}</td>
              </tr>
            ))}
          </table>
        )}
        {others.length === 0 ? null : <WithoutBuild events={others} now={now} />}
      </>
    ),
  })
}

function WithoutBuild({ events, now }: { events: readonly EventRow[]; now: number }) {
  return (
    <section>
      <h2>Pushed, without a build</h2>
      <table>
        <tr>
          <th>What</th>
          <th>Commit</th>
          <th>Why</th>
          <th>When</th>
        </tr>
        {events.map((event) => (
          <tr>
            <td>{event.ref.replace(/^refs\/(heads|tags)\//, '')}</td>
            <td>
              <code>{event.commit_id.slice(0, 12)}</code>
            </td>
            <td class={event.state === 'failed' ? 'failure' : 'quiet'}>{event.note ?? 'it waits'}</td>
            <td>{ago(event.received_at, now)}</td>
          </tr>
        ))}
      </table>
    </section>
  )
}
