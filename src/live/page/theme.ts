/** Light or dark: as the system says, until the reader chooses. */
import { element } from './elements.ts';

type Theme = 'light' | 'dark';

const KEY = 'threadloom-theme';

/** A button that changes the theme and keeps the choice. `onChange` is called after every change, the system's too. */
export function themeButton(onChange: () => void): HTMLButtonElement {
  const system = matchMedia('(prefers-color-scheme: dark)');
  let chosen = remembered();
  const button = element('button', { type: 'button', class: 'theme' });
  const current = (): Theme => chosen ?? (system.matches ? 'dark' : 'light');
  const show = () => {
    document.documentElement.dataset.theme = current();
    button.textContent = current() === 'dark' ? 'Light theme' : 'Dark theme';
  };
  button.addEventListener('click', () => {
    chosen = current() === 'dark' ? 'light' : 'dark';
    remember(chosen);
    show();
    onChange();
  });
  system.addEventListener('change', () => {
    show();
    onChange();
  });
  show();
  return button;
}

/** A colour of the theme, by the name of its custom property. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Storage may be forbidden, as it is for some pages opened from a file. */
function remembered(): Theme | undefined {
  try {
    const value = localStorage.getItem(KEY);
    return value === 'light' || value === 'dark' ? value : undefined;
  } catch {
    return undefined;
  }
}

function remember(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // It holds until the page is closed.
  }
}
