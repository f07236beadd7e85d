namespace Bascule.Demo;

/// <summary>Shows the demo until told to stop: a table in a terminal, lines everywhere else.</summary>
internal interface IDemoView
{
    /// <summary>Takes a line of the director's log. Called by any thread.</summary>
    void Log(string line);

    /// <summary>Shows frame after frame.</summary>
    Task ShowAsync(Func<DemoFrame> next, CancellationToken stopping);
}
