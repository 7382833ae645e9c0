interface Task {
  readonly done: Promise<unknown>;
  readonly lose: () => void;
}

/** What is under way on a channel, and is cut short by its end. */
export class Tasks {
  readonly #tasks = new Set<Task>();

  /** Resolves or rejects as `action` does, and to `"lost"` if the channel ends before, whatever `action` still waits for. */
  run<T>(action: Promise<T>): Promise<T | "lost"> {
    return new Promise((resolve, reject) => {
      const task: Task = { done: action, lose: () => resolve("lost") };
      this.#tasks.add(task);
      action.then(resolve, reject).finally(() => this.#tasks.delete(task));
    });
  }

  /** Resolves when all that is under way has ended. */
  async ended(): Promise<void> {
    await Promise.allSettled([...this.#tasks].map(({ done }) => done));
  }

  /** To be called when the channel has ended. */
  lose(): void {
    for (const { lose } of this.#tasks) lose();
  }
}
