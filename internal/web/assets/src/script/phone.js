// A page that shows a code for a phone goes on by itself: the server says when the phone has signed.
// Without this script its button does the same.
export function phoneForms(root) {
  root.querySelectorAll('form[data-phone-events]').forEach((form) => {
    const line = form.querySelector('.senim-live');
    line.textContent = form.dataset.textWaiting;
    line.dataset.state = 'waiting';
    const events = new EventSource(form.dataset.phoneEvents);
    form.addEventListener('submit', () => events.close());
    events.addEventListener('signed', () => {
      events.close();
      line.textContent = form.dataset.textDone;
      line.dataset.state = 'sending';
      form.submit();
    });
    events.addEventListener('over', () => {
      events.close();
      window.location.reload();
    });
  });
  root.querySelectorAll('[data-phone-left]').forEach((clock) => {
    const end = performance.now() + Number(clock.dataset.phoneLeft) * 1000;
    const timer = setInterval(() => {
      const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
      clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
      if (left === 0) clearInterval(timer);
    }, 1000);
  });
}
