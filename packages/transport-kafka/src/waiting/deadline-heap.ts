/** A binary heap of items by time, the earliest first. */
export class DeadlineHeap<T> {
  readonly #list: { readonly at: number; readonly item: T }[] = [];

  get first(): { readonly at: number; readonly item: T } | undefined {
    return this.#list[0];
  }

  add(at: number, item: T): void {
    const list = this.#list;
    const added = { at, item };
    let index = list.length;
    list.push(added);
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = list[above];
      if (parent === undefined || parent.at <= at) break;
      list[index] = parent;
      index = above;
    }
    list[index] = added;
  }

  /** Removes and returns the earliest item. */
  shift(): T | undefined {
    const list = this.#list;
    const [first] = list;
    const last = list.pop();
    if (first === undefined || last === undefined || list.length === 0) return first?.item;
    let index = 0;
    for (;;) {
      const left = index * 2 + 1;
      const right = left + 1;
      const child =
        (list[right]?.at ?? Number.POSITIVE_INFINITY) < (list[left]?.at ?? Number.POSITIVE_INFINITY) ? right : left;
      const below = list[child];
      if (below === undefined || below.at >= last.at) break;
      list[index] = below;
      index = child;
    }
    list[index] = last;
    return first.item;
  }
}
