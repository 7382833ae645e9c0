/**
 * Resolves to the result of `promise`, or rejects after so many milliseconds.
 *
 * @param onLate receives a result that came too late
 */
export function within<T>(
  promise: Promise<T>,
  milliseconds: number,
  problem: string,
  onLate: (result: T) => void = () => {},
): Promise<T> {
  return new Promise((resolve, reject) => {
    let over = false;
    const timer = setTimeout(() => {
      over = true;
      reject(new Error(problem));
    }, milliseconds);
    promise.then(
      (result) => {
        clearTimeout(timer);
        if (over) onLate(result);
        else resolve(result);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
