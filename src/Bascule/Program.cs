using Bascule.Commands;

return await CommandLine.RunAsync(args);
