import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import './theme.css';
import './base.css';
import './parts/parts.css';
import './parts/fields.css';
import './parts/blocks.css';
import './servers/servers.css';
import './add-server/add-server.css';
import './server/server.css';
import './server/details.css';
import './server/settings/settings.css';
import './server/actions.css';
import './connect-app/connect-app.css';

const root = document.getElementById('root');
if (root) createRoot(root).render(<App />);
