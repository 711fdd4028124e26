/** Formats in which a dispatch can be kept, the most useful first; the server writes all but `png`. */
export const EXPORT_FORMATS = ['html', 'svg', 'png', 'mmd', 'dot', 'py'] as const;

export type ExportFormat = (typeof EXPORT_FORMATS)[number];
