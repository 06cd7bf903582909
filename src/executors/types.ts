/**
 * Where steps run. One engine drives an executor; a second engine may take over after the first one died, and finds everything
 * again by ids and folders that are fixed before anything starts.
 *
 * Life of a stage attempt: `prepare` once (and `expect`) → for each step `start`, then `wait` (or `kill`) → `destroy` once. After an engine died:
 * `attach` for each step whose row says it was started. Steps of one attempt may overlap in time. A step that is started `after` another is armed: it
 * begins by itself, also when no engine lives any more, as soon as that one has ended with 0, and else never.
 */
export interface Executor {
  readonly name: 'process'
  /** What holds the processes of a step together here, found out by trying: recorded as evidence. */
  isolation(): Promise<'pid-namespace' | 'process-group'>
  /**
   * Makes the attempt's folder ready. May be called again after a crash at any point; ends in the same state. Where the steps work
   * (`cwd`) is made by the caller (`forges/git` checks out the commit), before the first `start`.
   */
  prepare(attempt: AttemptRef): Promise<void>
  /**
   * A step of the prepared attempt will soon be started: what it runs in may be made ready meanwhile. Runs nothing of the step. May be left
   * out, and never fails; `destroy` ends what it made.
   */
  expect(attempt: AttemptRef): void
  /**
   * Starts the step and resolves when it runs and can be found by `attach`. The child writes its output to `outputPath` itself; its exit status is
   * written by its supervisor, so that both survive this process. Must not be called twice for the same step of the same attempt:
   * ask `attach` first after a crash. The step reads nothing, and its background processes neither hold it nor end with it: they
   * may serve later steps, at the latest `destroy` ends them. An armed step has been handed over when this resolves; where the step before it has
   * ended otherwise than with 0 by then, nothing happens.
   * @throws PitlaneError `EXECUTOR_FAILED` when nothing was started; neither then nor later is this step of this attempt run
   */
  start(step: StepOrder): Promise<void>
  /**
   * Takes an armed step back. `held`: it does not begin, and may be started again as if it never had been. `begun`: it runs or has ended; `wait` tells.
   * `lost`: nobody had handed it over, and nobody does in this attempt.
   */
  disarm(step: StepRef): Promise<'held' | 'begun' | 'lost'>
  /**
   * After a crash: `running` (for an armed step also: it waits for its turn) and `finished` can be waited for; `lost` means that the step is not running, left no exit status and never will:
   * what was left of its processes is ended first, and a late starter of the step finds that it was given up. So is a step that
   * nobody has started yet: ask only for steps whose row says that they were.
   */
  attach(step: StepRef): Promise<'running' | 'finished' | 'lost'>
  /**
   * Resolves with how the step ended; `lost` when its processes vanished without an exit status (machine restarted, supervisor killed).
   * An aborted signal rejects with the signal's reason and leaves the step running; so does `close`, with `INTERRUPTED`.
   */
  wait(step: StepRef, signal?: AbortSignal): Promise<StepExit>
  /**
   * Ends every process of the step, however it detached itself, and resolves when none is left; the step then is `finished` with
   * 137. May take along background processes that earlier steps of the attempt left. Killing a finished step does nothing. An armed one
   * that has not begun never does, and is `lost`; what is armed behind a killed step, too.
   * @throws PitlaneError `EXECUTOR_FAILED` when processes do not end
   */
  kill(step: StepRef): Promise<void>
  /** File to which the step's standard output and error go. A step that was never begun has none, or an empty one; of one that was given up, something else may stand there. */
  outputPath(step: StepRef): string
  /**
   * Ends what is left of the attempt and removes `workspace/` in its folder; outputs and exit statuses stay. May be repeated.
   * @throws PitlaneError `STORAGE_FAILED` when something in the workspace cannot be removed
   */
  destroy(attempt: AttemptRef): Promise<void>
  /**
   * Removes a folder that steps worked in, read-only folders in it included; an absent one is removed already. Call it when no step works in it.
   * @throws PitlaneError `STORAGE_FAILED` when something in it cannot be removed, or is mounted there
   */
  remove(folder: string): Promise<void>
  /** Lets go of everything this process holds (pipes, watchers) without touching the steps. */
  close(): Promise<void>
}

/** One try at a stage. `folder` is unique to the attempt, absolute, and known before anything starts. */
export interface AttemptRef {
  readonly attemptId: string
  /** Holds `workspace/`, the outputs of the steps, and what `attach` needs. */
  readonly folder: string
}

export interface StepRef {
  readonly attempt: AttemptRef
  /** Position of the step in its stage, from 0: its files are named by it. */
  readonly index: number
}

export interface StepOrder extends StepRef {
  /** POSIX shell text, run with `sh -e`. */
  readonly run: string
  /**
   * The whole environment of the step: nothing is inherited. Shells add `PWD` (some also `SHLVL` and `_`) and reset `IFS`; the process
   * executor adds `PITLANE_STEP`, by which it finds a step's processes. Names are `[A-Za-z_][A-Za-z0-9_]*`.
   */
  readonly env: Readonly<Record<string, string>>
  /**
   * Working directory, absolute. The engine's lies outside of the attempt's folder: attempts of a stage share one checkout, and its outputs
   * are collected after `destroy`.
   */
  readonly cwd: string
  /** Index of a step of the same attempt that was started by this process, and that this one begins behind. */
  readonly after?: number
}

/** `code` as a shell reports it: 0 to 255, and 128 + n when signal n ended the step (139: SIGSEGV, 137: SIGKILL). */
export type StepExit = { readonly kind: 'exited'; readonly code: number } | { readonly kind: 'lost' }
