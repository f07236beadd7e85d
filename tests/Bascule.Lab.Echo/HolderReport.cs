namespace Bascule.Lab.Echo;

/// <summary>What became of the connections so far.</summary>
/// <param name="Open">Connections open now, by the name of the server at the other end.</param>
/// <param name="Broken">Those that ended; the client never ends one.</param>
/// <param name="Echoes">Messages that came back as they were sent.</param>
public sealed record HolderReport(IReadOnlyDictionary<string, int> Open, IReadOnlyList<Breakage> Broken, long Echoes);

/// <summary>How a connection ended.</summary>
/// <param name="Server">Who was at its other end; <c>nobody</c> if it was never established.</param>
/// <param name="Number">Of the message that did not come back.</param>
/// <param name="Why">In the words of the socket.</param>
public sealed record Breakage(string Server, long Number, string Why);

/// <summary>What short visits came to.</summary>
/// <param name="Served">Visits by who answered.</param>
/// <param name="Failed">Those that failed, by why.</param>
/// <param name="Slowest">Milliseconds of the slowest that was served.</param>
public sealed record VisitReport(IReadOnlyDictionary<string, int> Served, IReadOnlyDictionary<string, int> Failed, double Slowest);
