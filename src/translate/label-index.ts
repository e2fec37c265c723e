// Finds what a label selector chooses without looking at everything: the shortest list of one of its labels is searched.
import { selects } from "./names.ts";

type Labels = Readonly<Record<string, string>>;

export interface LabelIndex<T> {
  select(selector: Labels): readonly T[];
}

export function createLabelIndex<T>(items: readonly T[], labelsOf: (item: T) => Labels): LabelIndex<T> {
  let postings: Map<string, T[]> | undefined;
  return {
    select(selector) {
      postings ??= toPostings(items, labelsOf);
      let shortest = items;
      for (const [name, value] of Object.entries(selector)) {
        const list = postings.get(`${name}=${value}`) ?? [];
        if (list.length < shortest.length) shortest = list;
      }
      return shortest.filter((item) => selects(selector, labelsOf(item)));
    },
  };
}

function toPostings<T>(items: readonly T[], labelsOf: (item: T) => Labels): Map<string, T[]> {
  const postings = new Map<string, T[]>();
  for (const item of items) {
    for (const [name, value] of Object.entries(labelsOf(item))) {
      const key = `${name}=${value}`;
      const list = postings.get(key);
      if (list === undefined) postings.set(key, [item]);
      else list.push(item);
    }
  }
  return postings;
}
