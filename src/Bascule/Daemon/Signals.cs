using System.Runtime.InteropServices;

namespace Bascule.Daemon;

/// <summary>SIGTERM and SIGINT once: stop. Twice: end now. SIGHUP: reload, or stop where there is nothing to reload.</summary>
internal sealed class Signals : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly PosixSignalRegistration[] _registrations;
    private readonly Action _endNow;
    private int _stops;

    /// <param name="endNow">On the second signal to stop, before the process exits.</param>
    /// <param name="hangUp">On SIGHUP, which otherwise means to stop: the terminal went away.</param>
    public Signals(Action endNow, Action? hangUp = null)
    {
        _endNow = endNow;
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop),
            PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, hangUp is null ? Stop : context => { context.Cancel = true; hangUp(); }),
        ];
    }

    /// <summary>Cancelled by the first SIGTERM or SIGINT.</summary>
    public CancellationToken Stopping => _stop.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
            registration.Dispose();
        _stop.Dispose();
    }

    private void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref _stops) == 1)
        {
            _ = _stop.CancelAsync(); // not on this thread, which may have a second signal to hear
            return;
        }

        _endNow();
        Environment.Exit(ExitCode.Interrupted);
    }
}
