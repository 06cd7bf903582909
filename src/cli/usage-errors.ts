/** What the argument parser says of a command line that it does not understand, in the form of all other errors. */
import {
  type ApplicationText,
  ArgumentScannerError,
  formatMessageForArgumentScannerError,
  text_en,
} from '@stricli/core'
import { PitlaneError } from '../errors.ts'
import { describeError } from './output.ts'
import { fit, printable } from './text-table.ts'

/** @param tell is told each error, for programs; people read what is returned here */
export function usageTexts(tell: (error: unknown) => void): ApplicationText {
  const failed = (error: unknown) => {
    tell(error)
    return describeError(error)
  }
  const usage = (message: string) =>
    failed(new PitlaneError('USAGE', message, { hint: 'See what there is with --help after any command.' }))
  return {
    ...text_en,
    noCommandRegisteredForInput: ({ input, corrections }) =>
      usage(`there is no command ${quoted(input)}${proposal(corrections)}`),
    exceptionWhileParsingArguments: (error) =>
      error instanceof ArgumentScannerError ? usage(words(error)) : failed(error),
    exceptionWhileRunningCommand: failed,
    exceptionWhileLoadingCommandFunction: failed,
    exceptionWhileLoadingCommandContext: failed,
  }
}

function words(error: ArgumentScannerError): string {
  return formatMessageForArgumentScannerError(error, {
    FlagNotFoundError: ({ input, corrections }) =>
      `there is no flag ${quoted(`--${input}`)}${proposal(corrections.map((name) => `--${name}`))}`,
    AliasNotFoundError: ({ input }) => `there is no flag ${quoted(`-${input}`)}`,
    ArgumentParseError: ({ externalFlagNameOrPlaceholder: name, input, exception }) =>
      `${quoted(input)} can't be ${/^[a-z]/.test(name) ? `the value of --${name}` : name}: ${exception instanceof Error ? exception.message : String(exception)}`,
    UnsatisfiedFlagError: ({ externalFlagName }) => `--${externalFlagName} is missing, or its value`,
    UnsatisfiedPositionalError: ({ placeholder }) => `${placeholder} is missing`,
    UnexpectedPositionalError: ({ input, expectedCount }) =>
      `${quoted(input)} is one argument too many: this takes ${expectedCount === 0 ? 'none' : `at most ${expectedCount}`}`,
    UnexpectedFlagError: ({ externalFlagName }) => `--${externalFlagName} is given twice`,
  })
}

function proposal(corrections: readonly string[]): string {
  return corrections.length === 0
    ? ''
    : `; did you mean ${corrections.map((name) => quoted(name.replaceAll('`', ''))).join(' or ')}?`
}

function quoted(text: string): string {
  return `'${fit(printable(text), 80)}'`
}
