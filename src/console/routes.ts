import { cancelOperation } from './actions/cancel-operation'
import { changeSource } from './actions/change-source'
import { compareWarehouse } from './actions/compare-warehouse'
import { sendMissingAgain } from './actions/send-missing-again'
import { startOperation } from './actions/start-operation'
import { auditPage } from './pages/audit'
import { doctorPage } from './pages/doctor'
import { failuresPage } from './pages/failures'
import { messagePage } from './pages/message'
import { messagesPage } from './pages/messages'
import { operationPage } from './pages/operation'
import { overviewPage } from './pages/overview'
import { reviewPage } from './pages/review'
import { sourcePage } from './pages/source'
import { sourcesPage } from './pages/sources'
import { warehousePage } from './pages/warehouse'
import type { Act, ShowPage } from './visit'

/** Everything that can be looked at, below the console's path. For all who are let in. */
export const pages: Record<string, ShowPage> = {
  '/': overviewPage,
  '/messages': messagesPage,
  '/messages/:id': messagePage,
  '/failures': failuresPage,
  '/review': reviewPage,
  '/operations/:id': operationPage,
  '/sources': sourcesPage,
  '/sources/:id': sourcePage,
  '/sources/:id/warehouse': warehousePage,
  '/audit': auditPage,
  '/doctor': doctorPage,
}

/** Everything that changes something. For those who may, from the console's own forms. */
export const actions: Record<string, Act> = {
  '/operations': startOperation,
  '/operations/:id/cancel': cancelOperation,
  '/sources/:id/:change': changeSource,
  '/sources/:id/warehouse/compare': compareWarehouse,
  '/sources/:id/warehouse/send-again': sendMissingAgain,
}
