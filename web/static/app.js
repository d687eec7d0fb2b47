// The conveniences. Every page can be read, and every form sent, without this file.
(() => {
  'use strict';

  const announce = (text) => {
    const live = document.getElementById('announce');
    if (live) live.textContent = text;
  };

  // Copy buttons: data-copy holds the text, or data-copy-from the id of the element that shows it.
  document.addEventListener('click', async (event) => {
    const button = event.target.closest('[data-copy], [data-copy-from]');
    if (!button) return;
    const source = button.dataset.copyFrom && document.getElementById(button.dataset.copyFrom);
    const text = source ? source.textContent : button.dataset.copy;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      copyThroughSelection(text); // the clipboard API is missing on plain http
    }
    button.classList.add('copied');
    announce('Copied');
    setTimeout(() => button.classList.remove('copied'), 1500);
  });

  function copyThroughSelection(text) {
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'sr-only';
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }

  // "/" goes to the search field, Escape closes open menus.
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') closeMenus(null, true);
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest('input, textarea, select, [contenteditable]')) return;
    const field = document.querySelector('[data-search]');
    if (!field) return;
    event.preventDefault();
    field.focus();
    field.select();
  });

  // Menus are <details>; a click elsewhere closes them.
  document.addEventListener('click', (event) => closeMenus(event.target.closest('details[data-menu]'), false));
  function closeMenus(except, refocus) {
    for (const menu of document.querySelectorAll('details[data-menu][open]')) {
      if (menu === except) continue;
      menu.open = false;
      if (refocus) menu.querySelector('summary').focus();
    }
  }

  // The client chosen in one install box is the client shown in all of them, also on the next page.
  document.addEventListener('change', (event) => {
    if (event.target.dataset.client) remember('client', event.target.dataset.client);
    if (event.target.dataset.submit !== undefined) event.target.form.requestSubmit();
  });
  const client = recall('client');
  if (client) {
    for (const radio of document.querySelectorAll('input[data-client]')) {
      if (radio.dataset.client === client) radio.checked = true;
    }
  }
  function remember(key, value) {
    try { localStorage.setItem('entrepot.' + key, value); } catch { /* private mode: forget it */ }
  }
  function recall(key) {
    try { return localStorage.getItem('entrepot.' + key); } catch { return null; }
  }

  // A row of tabs wider than the screen starts where its current tab is.
  for (const tab of document.querySelectorAll('.tabs-line [aria-current], .side-menu [aria-current]')) {
    const row = tab.parentElement;
    row.scrollLeft = tab.offsetLeft - row.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
  }

  // Code of a readme that is wider than its box can be scrolled with the keyboard.
  for (const block of document.querySelectorAll('.prose :is(pre, table)')) {
    if (block.scrollWidth > block.clientWidth) block.tabIndex = 0;
  }

  // Theme buttons: show the choice at once and let the server remember it for the next page.
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (form.dataset.themeSwitch === undefined || !event.submitter) return;
    event.preventDefault();
    const theme = event.submitter.value;
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    for (const button of document.querySelectorAll('form[data-theme-switch] button')) {
      button.setAttribute('aria-pressed', String(button.value === theme));
    }
    fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form, event.submitter)), redirect: 'manual' });
  });

  // Typed confirmation: the button wakes up when the field says what the page asks for. The server checks again.
  for (const field of document.querySelectorAll('input[data-confirm]')) {
    const button = field.form.querySelector('button[type=submit]');
    const check = () => { button.disabled = field.value !== field.dataset.confirm; };
    field.addEventListener('input', check);
    check();
  }

  // Uploads: the GraphQL mutation uploadFile, once a file, as a multipart request that the server streams. XHR and not
  // fetch, because only it tells how far the sending has come. Without script the form is not shown at all.
  const uploadForm = document.querySelector('form[data-upload]');
  if (uploadForm) prepareUpload(uploadForm);

  function prepareUpload(form) {
    const list = document.getElementById('upload-list');
    const template = document.getElementById('upload-row');
    const submit = form.querySelector('button[type=submit]');
    const done = document.getElementById('upload-done');

    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      const data = new FormData(form);
      const files = data.getAll('files').filter((file) => file.name);
      submit.disabled = true;
      done.hidden = true;
      list.replaceChildren();
      const rows = files.map(addRow);
      let page = '';
      let failed = 0;
      for (const [i, file] of files.entries()) {
        const answer = await send(data, file, rows[i]);
        if (answer) page = answer;
        else failed++;
      }
      submit.disabled = false;
      announce(failed ? failed + ' of ' + files.length + ' files failed' : 'All files are uploaded');
      if (failed === 0 && page) {
        document.getElementById('upload-link').href = page;
        done.hidden = false;
      }
    });

    function addRow(file) {
      const row = template.content.firstElementChild.cloneNode(true);
      row.querySelector('[data-name]').textContent = file.name;
      row.querySelector('[data-state]').textContent = bytes(file.size);
      list.append(row);
      return row;
    }

    function request(data, file) {
      const body = new FormData();
      body.append('operations', JSON.stringify({
        query: 'mutation ($input: UploadFileInput!) { uploadFile(input: $input)'
          + ' { package { type name } version { version } } }',
        variables: {
          input: {
            owner: form.dataset.upload,
            package: data.get('name').trim(),
            version: data.get('version').trim(),
            name: file.name,
            file: null,
          },
        },
      }));
      body.append('map', '{"0":["variables.input.file"]}');
      body.append('0', file, file.name);
      return body;
    }

    // Resolves to the address of the version's page, or to nothing when the file was refused.
    function send(data, file, row) {
      return new Promise((resolve) => {
        const bar = row.querySelector('progress');
        const state = row.querySelector('[data-state]');
        const begun = performance.now();
        const xhr = new XMLHttpRequest();
        xhr.open('POST', form.dataset.endpoint);
        xhr.responseType = 'json';
        xhr.upload.addEventListener('progress', (event) => {
          if (!event.lengthComputable || event.total === 0) return;
          bar.value = event.loaded / event.total;
          const left = (event.total - event.loaded) / event.loaded * (performance.now() - begun) / 1000;
          state.textContent = bytes(event.loaded) + ' of ' + bytes(event.total)
            + (left > 1 ? ', ' + duration(left) + ' left' : '');
        });
        const finish = (page, text) => {
          bar.hidden = true;
          state.textContent = text;
          row.classList.add(page ? 'is-done' : 'is-failed');
          resolve(page);
        };
        xhr.addEventListener('load', () => {
          const answer = xhr.response;
          if (!answer || answer.errors || !answer.data) {
            finish('', answer?.errors?.[0]?.message || 'The server answered ' + xhr.status + '.');
            return;
          }
          const published = answer.data.uploadFile;
          const path = [form.dataset.upload, published.package.type, published.package.name, 'v', published.version.version];
          finish('/' + path.map(encodeURIComponent).join('/'), bytes(file.size));
        });
        xhr.addEventListener('error', () => finish('', 'The connection broke. Send the file again.'));
        xhr.send(request(data, file));
      });
    }
  }

  function bytes(n) {
    const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
    let unit = 0;
    while (n >= 1024 && unit < units.length - 1) { n /= 1024; unit++; }
    return (unit === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)) + ' ' + units[unit];
  }
  function duration(seconds) {
    if (seconds < 60) return Math.round(seconds) + ' s';
    if (seconds < 3600) return Math.round(seconds / 60) + ' min';
    return (seconds / 3600).toFixed(1) + ' h';
  }
})();
