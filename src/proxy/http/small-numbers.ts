// What is made of a whole number that is nearly always small: made once for each of those, anew for the others.

const MOST = 1024;

export function forSmallNumbers<T>(make: (n: number) => T): (n: number) => T {
  const kept: (T | undefined)[] = [];
  return (n) => {
    const known = kept[n];
    if (known !== undefined) return known;
    const made = make(n);
    if (n >= 0 && n < MOST) kept[n] = made;
    return made;
  };
}
