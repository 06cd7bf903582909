/**
 * The page's only script, and an optional one: copy buttons where the browser can copy, and a mark on the row of this machine. Its hash
 * is in the page's Content-Security-Policy.
 */
export const SCRIPT = `(function () {
  if (navigator.clipboard) {
    document.querySelectorAll('.commands').forEach(function (block) {
      var button = document.createElement('button')
      var text = block.querySelector('pre')
      var words = 'Copy'
      button.type = 'button'
      button.textContent = words
      button.setAttribute('aria-label', words + ' commands: ' + block.querySelector('.commands-head').textContent)
      button.addEventListener('click', function () {
        navigator.clipboard.writeText(text.textContent).then(
          function () { button.textContent = 'Copied' },
          function () { button.textContent = 'Not allowed' }
        )
        setTimeout(function () { button.textContent = words }, 2000)
      })
      block.querySelector('.commands-head').appendChild(button)
    })
  }
  var machine = /^Linux (\\w+)$/.exec(navigator.platform || '')
  if (!machine || /Android/.test(navigator.userAgent)) return
  var row = document.querySelector('main > section .files tr[data-uname~="' + machine[1] + '"]')
  if (!row) return
  var mark = document.createElement('span')
  mark.className = 'badge here'
  mark.textContent = 'probably this machine'
  row.className = 'here'
  row.querySelector('th').appendChild(mark)
})()
`
