import { writeFileAtomic, readFileIfThere } from '../../core/base/atomic-file.ts';
import { screen, type BrowserWindow } from 'electron';
import { z } from 'zod';
import { readJson } from '../../../shared/json.ts';

const Bounds = z.object({
  x: z.int(),
  y: z.int(),
  width: z.int().min(200).max(10_000),
  height: z.int().min(200).max(10_000),
  maximized: z.boolean(),
});
export type Bounds = z.infer<typeof Bounds>;

/** Where the window was; undefined when that is not known, or not on any of today's screens. */
export async function readBounds(file: string): Promise<Bounds | undefined> {
  const text = await readFileIfThere(file).catch(() => undefined);
  const bounds = text === undefined ? undefined : Bounds.safeParse(readJson(text)).data;
  return bounds && onSomeScreen(bounds) ? bounds : undefined;
}

/** Writes where the window is, half a second after it was last moved. A full disk is no reason to complain. */
export function rememberBounds(window: BrowserWindow, file: string): void {
  let timer: NodeJS.Timeout | undefined;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (window.isDestroyed() || window.isMinimized()) return;
      const bounds: Bounds = { ...window.getNormalBounds(), maximized: window.isMaximized() };
      void writeFileAtomic(file, JSON.stringify(bounds)).catch(() => {});
    }, 500).unref();
  };
  window.on('resize', later);
  window.on('move', later);
  window.on('maximize', later);
  window.on('unmaximize', later);
  window.on('closed', () => clearTimeout(timer));
}

/** At least a corner that can be grabbed is visible. */
function onSomeScreen({ x, y, width }: Bounds): boolean {
  return screen.getAllDisplays().some(({ workArea }) => {
    const overlap = Math.min(x + width, workArea.x + workArea.width) - Math.max(x, workArea.x);
    return overlap >= 100 && y >= workArea.y - 10 && y < workArea.y + workArea.height - 40;
  });
}
