// electron-builder calls this when the app's folder is complete. Removes files that users do not need.
const { rm } = require('node:fs/promises');
const path = require('node:path');

const leftovers = ['resources/default_app.asar', 'version'];

/** @param {import('electron-builder').AfterPackContext} context */
exports.default = async ({ appOutDir }) => {
  for (const file of leftovers) await rm(path.join(appOutDir, file), { recursive: true, force: true });
};
