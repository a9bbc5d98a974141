/** Checks that run inside the page: each stands by itself, for its source is sent to the browser. */

/** Texts of controls that no label names, and of pictures without words. */
export function unlabelled(): string[] {
  const controls = document.querySelectorAll<HTMLElement>(
    'input, select, button, progress, [role=slider], [role=region], section',
  );
  return [...controls]
    .filter((control) => {
      const labels = (control as HTMLInputElement).labels;
      const named = control.getAttribute('aria-label') ?? '';
      const by = document.getElementById(control.getAttribute('aria-labelledby') ?? '');
      const own = control.tagName === 'BUTTON' ? control.textContent : '';
      return !(labels?.[0]?.textContent || named || by?.textContent || own);
    })
    .map((control) => control.outerHTML.slice(0, 120));
}

/** Levels of the headings that are shown, in order. */
export function outline(): number[] {
  return [...document.querySelectorAll<HTMLElement>('h1, h2, h3, h4')]
    .filter((heading) => heading.offsetParent !== null)
    .map((heading) => Number(heading.tagName[1]));
}

/** Contrast of each element with text of its own against what is painted behind it, as WCAG computes it. */
export function contrasts(): { text: string; ratio: number }[] {
  const channels = (colour: string) => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (colour: number[]) => {
    const [r, g, b] = colour.map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const backOf = (start: Element): number[] => {
    for (let at: Element | null = start; at; at = at.parentElement) {
      const [r, g, b, alpha = 1] = channels(getComputedStyle(at).backgroundColor);
      if (alpha > 0) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const hasText = (element: Element) =>
    [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim());
  return [...document.querySelectorAll<HTMLElement>('body *')]
    .filter((element) => hasText(element) && element.offsetParent !== null)
    .map((element) => {
      const [front, back] = [
        luminance(channels(getComputedStyle(element).color).slice(0, 3)),
        luminance(backOf(element)),
      ];
      const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
      return { text: (element.textContent ?? '').slice(0, 40), ratio };
    });
}

/** Of each column of a picture that has pixels of a colour of the theme, its place and their mean row. */
export function rowsOfColour(canvas: Element, property: string): { x: number; y: number }[] {
  const picture = canvas as HTMLCanvasElement;
  const { width, height } = picture;
  const value = getComputedStyle(document.documentElement).getPropertyValue(property).trim();
  const wanted = [1, 3, 5].map((i) => Number.parseInt(value.slice(i, i + 2), 16));
  const { data } = (picture.getContext('2d') as CanvasRenderingContext2D).getImageData(
    ...([0, 0, width, height] as const),
  );
  const isWanted = (pixel: number) =>
    data[pixel + 3] > 128 && wanted.every((channel, i) => Math.abs(data[pixel + i] - channel) < 24);
  return Array.from({ length: width }, (_, x) => {
    const rows = Array.from({ length: height }, (_, y) => y).filter((y) =>
      isWanted(4 * (y * width + x)),
    );
    return { x, y: rows.reduce((sum, y) => sum + y, 0) / rows.length };
  }).filter(({ y }) => !Number.isNaN(y));
}

/** Before the page's own script: notes in `delays` how long each event of steps takes from its arrival to its picture. */
export function noteDelays(): void {
  const delays: number[] = [];
  Object.assign(window, { delays });
  window.EventSource = class extends EventSource {
    constructor(url: string | URL) {
      super(url);
      this.addEventListener('points', ({ timeStamp }) => {
        // The page draws in the first frame; the second begins once that one was painted.
        requestAnimationFrame(() =>
          requestAnimationFrame(() => delays.push(performance.now() - timeStamp)),
        );
      });
    }
  };
}
