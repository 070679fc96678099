import { render } from 'preact';
import { App } from './app.tsx';
import { LanguageProvider } from './language.tsx';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element "root"');
render(
  <LanguageProvider>
    <App />
  </LanguageProvider>,
  root,
);
