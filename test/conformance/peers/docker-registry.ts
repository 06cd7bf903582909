/**
 * The distribution project's registry as Debian has it: 2.8, the one that stands before most self-hosted images. It is configured as its
 * successor is; it deletes no tag by its name, and believes token services by their certificate.
 */
import { onPath } from './installed.ts'
import { type RegistryServer, startDistribution } from './distribution.ts'

export const dockerRegistry = () => onPath('docker-registry')

export function startDockerRegistry(
  program: string,
  settings: readonly string[] = [],
  deletes = true,
): Promise<RegistryServer> {
  return startDistribution(program, settings, deletes)
}
