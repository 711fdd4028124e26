import { defineConfig } from 'vitest/config';

export default defineConfig({
  server: { fs: { allow: ['..'] } }, // tests read names that Python defines
  test: {
    css: true,
    env: { TZ: 'UTC' },
    environment: 'jsdom',
    include: ['tests/**/*.spec.{ts,tsx}'],
    benchmark: { include: ['tests/**/*.bench.ts'] },
    setupFiles: ['tests/polyfills.ts'],
    server: { deps: { inline: [/@jupyterlab/, /@jupyter/, /@lumino/] } }
  }
});
