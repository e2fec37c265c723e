// Memoises by object identity: the same (frozen) inputs give the same output object. The design's answer to "cost follows the change".
export function memoByIdentity<A extends object, R>(compute: (a: A) => R): (a: A) => R {
  const cache = new WeakMap<A, { value: R }>();
  return (a) => {
    const hit = cache.get(a);
    if (hit !== undefined) return hit.value;
    const value = compute(a);
    cache.set(a, { value });
    return value;
  };
}

export function memoByIdentity2<A extends object, B extends object, R>(compute: (a: A, b: B) => R): (a: A, b: B) => R {
  const cache = new WeakMap<A, WeakMap<B, { value: R }>>();
  return (a, b) => {
    let inner = cache.get(a);
    if (inner === undefined) cache.set(a, (inner = new WeakMap()));
    const hit = inner.get(b);
    if (hit !== undefined) return hit.value;
    const value = compute(a, b);
    inner.set(b, { value });
    return value;
  };
}
