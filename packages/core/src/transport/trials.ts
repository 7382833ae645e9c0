/**
 * Trials of suspects, recorded in the broker (T6). A suspect is an event that came back unexplained more than once. The core
 * handles suspects one at a time, and records each trial before the handler starts and takes the record back afterwards;
 * what is never taken back belongs to a process that died in the trial.
 */
export interface Trials {
  /**
   * Records that a trial of an event begins, and resolves, when the record is stored, to how many earlier trials of this
   * event were never taken back. The record outlives this connection, and every process.
   *
   * @param trial names this trial, for {@link end}
   */
  begin(useCase: string, eventId: string, trial: string): Promise<number>;

  /** Takes back the record of one trial, or, without `trial`, all records of the event; none that is there is fine. */
  end(useCase: string, eventId: string, trial?: string): Promise<void>;
}
