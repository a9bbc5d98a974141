/** A list that keeps all of a history at one resolution and within bounds, however much is added. Pure. */
export class EvenSeries<Item> {
  readonly #limit: number;
  readonly #join: (earlier: Item, later: Item) => Item;
  readonly #items: Item[] = [];
  readonly #weights: number[] = [];
  /** Largest weight of what is joined. */
  #stretch = 1;

  /** `limit`: most items, at least 2. `join` makes one of two neighbours, and changes neither. */
  constructor(limit: number, join: (earlier: Item, later: Item) => Item) {
    this.#limit = limit;
    this.#join = join;
  }

  /** In the order in which they came; the newest stands alone, as it came. */
  get items(): readonly Item[] {
    return this.#items;
  }

  /** `weight`: how many single ones the item stands for. */
  add(item: Item, weight = 1): void {
    this.#joinNewest();
    this.#items.push(item);
    this.#weights.push(weight);
    while (this.#items.length > this.#limit) {
      this.#stretch *= 2;
      this.#joinAll();
    }
  }

  /** Where the newest has changed. */
  replaceNewest(item: Item): void {
    this.#items[this.#items.length - 1] = item;
  }

  /** The newest with the one before it, where that is not full. */
  #joinNewest(): void {
    const last = this.#items.length - 1;
    if (last < 1 || this.#weights[last - 1] + this.#weights[last] > this.#stretch) return;
    this.#items[last - 1] = this.#join(this.#items[last - 1], this.#items[last]);
    this.#weights[last - 1] += this.#weights[last];
    this.#items.length = last;
    this.#weights.length = last;
  }

  #joinAll(): void {
    const items = this.#items.splice(0);
    const weights = this.#weights.splice(0);
    for (const [i, item] of items.entries()) {
      this.#joinNewest();
      this.#items.push(item);
      this.#weights.push(weights[i]);
    }
  }
}
