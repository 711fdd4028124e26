/** Pictures as other pictures. */

const SCALE = 2;
const LARGEST = 16_000;

/** Draws an SVG picture as a PNG one, on white, at twice its size where a canvas can hold that. */
export async function pngFromSvg(svg: Blob): Promise<Blob> {
  const url = URL.createObjectURL(svg.slice(0, svg.size, 'image/svg+xml'));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const scale = Math.min(SCALE, LARGEST / Math.max(image.naturalWidth, image.naturalHeight, 1));
    const canvas = document.createElement('canvas');
    canvas.width = Math.ceil(image.naturalWidth * scale);
    canvas.height = Math.ceil(image.naturalHeight * scale);
    const context = canvas.getContext('2d');
    if (context === null) {
      throw new Error('This browser cannot draw pictures; export .svg instead.');
    }
    context.fillStyle = '#fff';
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) =>
      canvas.toBlob(
        blob => (blob === null ? reject(new Error('The picture is too large.')) : resolve(blob)),
        'image/png'
      )
    );
  } finally {
    URL.revokeObjectURL(url);
  }
}
