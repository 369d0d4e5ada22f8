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

/** Returns where the window was, or undefined if that is unknown or on no screen that is connected now. */
export async function readBounds(file: string): Promise<Bounds | undefined> {
  const text = await readFileIfThere(file).catch(() => undefined);
  const bounds = text === undefined ? undefined : Bounds.safeParse(readJson(text)).data;
  return bounds && isOnScreen(bounds) ? bounds : undefined;
}

/** Writes the window's bounds half a second after each change. Failures to write are ignored. */
export function rememberBounds(window: BrowserWindow, file: string): void {
  let timer: NodeJS.Timeout | undefined;
  const saveLater = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (window.isDestroyed() || window.isMinimized()) return;
      const bounds: Bounds = { ...window.getNormalBounds(), maximized: window.isMaximized() };
      void writeFileAtomic(file, JSON.stringify(bounds)).catch(() => {});
    }, 500).unref();
  };
  window.on('resize', saveLater);
  window.on('move', saveLater);
  window.on('maximize', saveLater);
  window.on('unmaximize', saveLater);
  window.on('closed', () => clearTimeout(timer));
}

/** Whether enough of the title bar is visible to drag the window. */
function isOnScreen({ x, y, width }: Bounds): boolean {
  return screen.getAllDisplays().some(({ workArea }) => {
    const overlap = Math.min(x + width, workArea.x + workArea.width) - Math.max(x, workArea.x);
    return overlap >= 100 && y >= workArea.y - 10 && y < workArea.y + workArea.height - 40;
  });
}
