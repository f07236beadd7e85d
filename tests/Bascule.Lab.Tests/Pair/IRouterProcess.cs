namespace Bascule.Lab.Tests.Pair;

/// <summary>A program that speaks VRRP on a director's machine: ours, or keepalived.</summary>
internal interface IRouterProcess : IAsyncDisposable
{
    /// <summary>The machine: <c>director-1</c> or <c>director-2</c>.</summary>
    string Director { get; }

    /// <summary>As a crash would: nothing is said, and nothing is cleaned.</summary>
    Task KillAsync();

    /// <summary>Starts it again with the same file, as a Backup; waits until it listens.</summary>
    Task StartAgainAsync();

    /// <summary>As an operator would, by SIGTERM; waits until it has ended.</summary>
    Task StopAsync();

    /// <summary>SIGSTOP: nothing of it runs.</summary>
    void Pause();

    /// <summary>SIGCONT.</summary>
    void Continue();
}
