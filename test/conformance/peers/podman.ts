/** Settings with which podman runs as root inside a container, with a storage of its own. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** As it comes, podman asks for limits and cgroups that it is refused inside a container. @returns what its environment needs */
export function podmanSettings(folder: string): Record<string, string> {
  const [containers, storage] = [join(folder, 'containers.conf'), join(folder, 'storage.conf')]
  writeFileSync(
    containers,
    '[containers]\ndefault_ulimits=["nofile=1024:1024","nproc=1024:1024"]\n' +
      '[engine]\nruntime="runc"\ncgroup_manager="cgroupfs"\nevents_logger="none"\n',
  )
  writeFileSync(storage, `[storage]\ndriver="vfs"\ngraphroot="${folder}/root"\nrunroot="${folder}/run"\n`)
  return { CONTAINERS_CONF: containers, CONTAINERS_STORAGE_CONF: storage, TMPDIR: folder }
}
