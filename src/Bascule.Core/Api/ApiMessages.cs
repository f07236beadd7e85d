namespace Bascule.Core.Api;

/// <summary>Which program this is: <c>GET /v1/version</c> and <c>bascule version --json</c>.</summary>
/// <param name="Version">The program's version.</param>
/// <param name="Runtime">The .NET runtime it runs on.</param>
/// <param name="System">The operating system and kernel.</param>
public sealed record VersionInfo(string Version, string Runtime, string System);

/// <summary>The answer to a request that the API does not understand.</summary>
/// <param name="Error">What is wrong with it.</param>
/// <param name="Hint">What to ask instead.</param>
public sealed record ApiError(string Error, string Hint);
