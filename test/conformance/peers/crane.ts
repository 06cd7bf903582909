/** go-containerregistry's client, which many build systems use. */
import { goModule, installed } from './installed.ts'

export const crane = () =>
  installed(goModule('crane-0.20.2', 'crane', 'github.com/google/go-containerregistry/cmd/crane@v0.20.2'))
