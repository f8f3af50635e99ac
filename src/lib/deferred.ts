export type Deferred<T> = {
  promise: Promise<T>;
  resolve: (value: T) => void;
};

/** A promise and the function that settles it, like `Promise.withResolvers` of Node 22. */
export function deferred<T = void>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
