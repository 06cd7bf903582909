/** MinIO's command-line client, which speaks to any S3 server. */
import { goModule, installed } from './installed.ts'

export const mc = () =>
  installed(goModule('mc-20250313', 'mc', 'github.com/minio/mc@v0.0.0-20250313080218-cf909e1063a9'))
