/** Tells whether a value from outside, parsed JSON for example, is a T. */
export type Shape<T> = (value: unknown) => value is T;

/** The shape of a field that may be missing. */
export type Optional<T> = { optional: Shape<T> };

/** One shape per field of T. */
export type Fields<T> = {
  [K in keyof T]-?: Partial<Pick<T, K>> extends Pick<T, K> ? Optional<Exclude<T[K], undefined>> : Shape<T[K]>;
};

export const isString: Shape<string> = (value) => typeof value === 'string';
export const isNumber: Shape<number> = (value) => typeof value === 'number';
export const isBoolean: Shape<boolean> = (value) => typeof value === 'boolean';
export const isObject: Shape<object> = (value): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const optional = <T>(shape: Shape<T>): Optional<T> => ({ optional: shape });

export function listOf<T>(shape: Shape<T>): Shape<T[]> {
  return (value): value is T[] => Array.isArray(value) && value.every(shape);
}

export function oneOf<const T extends string>(...words: readonly T[]): Shape<T> {
  return (value): value is T => words.some((word) => word === value);
}

/** An object with these fields; it may have others, which a newer program has added. */
export function objectOf<T extends object>(fields: Fields<T>): Shape<T> {
  const shapes = Object.entries<Shape<unknown> | Optional<unknown>>(fields);
  return (value): value is T =>
    isObject(value) &&
    shapes.every(([name, shape]) => {
      const field = (value as Record<string, unknown>)[name];
      return typeof shape === 'function' ? shape(field) : field === undefined || shape.optional(field);
    });
}

/** A union whose members differ in their `type`: by type, the other fields of the member. */
export function messageOfType<M extends { type: string }>(members: {
  [K in M['type']]: Fields<Omit<Extract<M, { type: K }>, 'type'>>;
}): Shape<M> {
  const shapes = new Map(
    Object.entries<Fields<object>>(members).map(([type, fields]) => [type, objectOf(fields)]),
  );
  return (value): value is M => {
    if (!isObject(value) || !('type' in value) || typeof value.type !== 'string') return false;
    return shapes.get(value.type)?.(value) ?? false;
  };
}
