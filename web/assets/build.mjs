// Writes ../static. Started by ./build, which sees to node_modules.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

const out = '../static';
mkdirSync(out, { recursive: true });

// One sprite with just the icons in use. Symbols carry geometry alone; stroke, size and colour belong to the .icon class.
const lucide = JSON.parse(readFileSync('icons.json', 'utf8'));
const symbols = [
  ...lucide.map((name) => [name, `node_modules/lucide-static/icons/${name}.svg`]),
  ...readdirSync('icons').sort().map((file) => [file.replace(/\.svg$/, ''), `icons/${file}`]),
].map(([name, file]) => symbol(name, readFileSync(file, 'utf8')));
writeFileSync(`${out}/icons.svg`,
  '<svg xmlns="http://www.w3.org/2000/svg">\n'
  + '<!-- Icons named type-* are part of Entrepot (MIT). The others come from Lucide, ISC License, Copyright (c) Lucide Contributors. -->\n'
  + symbols.join('\n') + '\n</svg>\n');

function symbol(name, svg) {
  const body = svg.replace(/<!--[\s\S]*?-->/g, '').match(/<svg[^>]*>([\s\S]*)<\/svg>/)[1];
  return `<symbol id="${name}" viewBox="0 0 24 24">${body.replace(/\s+/g, ' ').replace(/ ?\/> ?/g, '/>').trim()}</symbol>`;
}

// npm's unpacked htmx is already minified; its licence (0BSD) asks for no notice, the first line says what it is.
const htmxVersion = JSON.parse(readFileSync('node_modules/htmx.org/package.json', 'utf8')).version;
writeFileSync(`${out}/htmx.js`,
  `/* htmx ${htmxVersion}, 0BSD */\n` + readFileSync('node_modules/htmx.org/dist/htmx.min.js', 'utf8').trim() + '\n');

for (const file of ['app.js', 'logo.svg', 'favicon.svg']) {
  writeFileSync(`${out}/${file}`, readFileSync(file));
}

execFileSync('node_modules/.bin/tailwindcss', ['--input', 'app.css', '--output', `${out}/app.css`, '--minify'], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
